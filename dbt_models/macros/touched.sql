{# Computing only what changed. A build works on a copy of the last one; `touched_*` say what came
   since. A model of papers forgets the touched ones and computes them anew; a model of periods does
   so with the periods in which they count, now or before. On an empty warehouse all is computed. #}

{% macro config_by_paper() -%}
    {{ config(
        materialized='incremental', incremental_strategy='append', on_schema_change='fail',
        pre_hook="{{ forget('paper_id', ref('int_papers__touched'), 'paper_id') }}"
    ) }}
{%- endmacro %}

{% macro config_by_title() -%}
    {{ config(
        materialized='incremental', incremental_strategy='append', on_schema_change='fail',
        pre_hook="{{ forget('title_key', source('raw', 'touched_items'), 'title_key') }}"
    ) }}
{%- endmacro %}

{% macro config_by_period() -%}
    {{ config(
        materialized='incremental', incremental_strategy='append', on_schema_change='fail',
        pre_hook="{{ forget('(population, grain, period_start_on)', ref('int_periods__touched'), 'population, grain, period_start_on') }}"
    ) }}
{%- endmacro %}

{% macro forget(key, touched, touched_key) -%}
    {% if is_incremental() %}delete from {{ this }} where {{ key }} in (select {{ touched_key }} from {{ touched }}){% endif %}
{%- endmacro %}

{# A condition: the paper is touched, or everything is computed. #}
{% macro is_touched_paper(column='paper_id') -%}
    {%- set touched = ref('int_papers__touched') -%}
    {%- if is_incremental() -%} {{ column }} in (select paper_id from {{ touched }}) {%- else -%} true {%- endif -%}
{%- endmacro %}

{# The same for a title. #}
{% macro is_touched_title() -%}
    {%- set touched = source('raw', 'touched_items') -%}
    {%- if is_incremental() -%} title_key in (select title_key from {{ touched }}) {%- else -%} true {%- endif -%}
{%- endmacro %}

{# The same for a period of the relation. #}
{% macro is_touched_period(relation) -%}
    {%- set touched = ref('int_periods__touched') -%}
    {%- if is_incremental() -%}
    ({{ relation }}.population, {{ relation }}.grain, {{ relation }}.period_start_on) in (
        select population, grain, period_start_on from {{ touched }}
    )
    {%- else -%} true {%- endif -%}
{%- endmacro %}
