{# Incremental models: a build replaces only the rows of keys that changed since the last build.

   A model declares its key with `recompute_by('paper')`. The first build creates the whole table.
   Later builds delete the rows of the changed keys and insert the model's rows for these keys. The
   strategy filters the model's result by itself, so a filter that is missing in the model costs
   time but can't give wrong rows. `changed_rows` filters the model's input: DuckDB does not push
   the filter on the result down through window functions, aggregates and unions. #}

{# Configures the model as incremental by `title`, `paper` or `period`. #}
{% macro recompute_by(key) -%}
    {{ config(
        materialized='incremental', incremental_strategy='recompute_changed', on_schema_change='fail', recompute_by=key
    ) }}
    {%- if not execute %}{% do changed_keys(key) %}{% endif -%}
{%- endmacro %}

{# dbt calls this for `incremental_strategy='recompute_changed'`. #}
{% macro get_incremental_recompute_changed_sql(arguments) -%}
    {%- set changed = is_changed(config.require('recompute_by')) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments['target_relation'] }} where {{ changed }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }} where {{ changed }}
{%- endmacro %}

{# The columns of a declared key, and the table that lists its changed values. #}
{% macro changed_keys(key) -%}
    {%- if key == 'title' -%}
        {{ return({'columns': ['title_key'], 'relation': ref('int_items__changed')}) }}
    {%- elif key == 'paper' -%}
        {{ return({'columns': ['paper_id'], 'relation': ref('int_papers__changed')}) }}
    {%- elif key == 'period' -%}
        {{ return({'columns': ['population', 'grain', 'period_start_on'], 'relation': ref('int_periods__changed')}) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("recompute_by takes 'title', 'paper' or 'period', not '" ~ key ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{# Condition: the row's key changed. #}
{% macro is_changed(key) -%}
    {%- set keys = changed_keys(key) -%}
    {%- set columns = keys.columns | join(', ') -%}
    {{ '(' ~ columns ~ ')' if keys.columns | length > 1 else columns }} in (select {{ columns }} from {{ keys.relation }})
{%- endmacro %}

{# The relation or CTE; in an incremental run, only its rows of changed keys. #}
{% macro changed_rows(relation) -%}
    {%- if is_incremental() -%}
    (select * from {{ relation }} where {{ is_changed(config.require('recompute_by')) }})
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Columns of a table as the last build left it; no rows before the first build. `columns` maps
   names to types. #}
{% macro last_build(table, columns) -%}
    {%- set relation = source('last_build', table) -%}
    {%- if not execute or load_cached_relation(relation) is not none -%}
    select {{ columns.keys() | join(', ') }} from {{ relation }}
    {%- else -%}
    select {% for name, type in columns.items() %}cast(null as {{ type }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %} where false
    {%- endif -%}
{%- endmacro %}
