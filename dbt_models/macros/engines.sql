{# SQL that differs between engines, in one place. Written for DuckDB, in forms that sqlglot
   translates to Spark; `tests/contracts/test_portable_sql.py` checks every compiled model. Models
   use these macros and dbt's cross-database macros instead of an engine's own functions. #}

{# Value of `column` in the row with the smallest `order_column`, among rows with a value. #}
{% macro first_known(column, order_column) -%}
    min_by({{ column }}, {{ order_column }}) filter (where {{ column }} is not null)
{%- endmacro %}

{# One row per element of a list column, with the columns of `keep`, the element, and its position
   from 1. The cast lets sqlglot translate the index to engines that count from 0. #}
{% macro unnest_list(relation, list_column, element, position, keep) -%}
    select
        {% for column in keep %}{{ column }}, {% endfor %}
        {{ list_column }}[cast({{ position }} as bigint)] as {{ element }},
        {{ position }}
    from (
        select
            {% for column in keep %}{{ column }}, {% endfor %}
            {{ list_column }},
            unnest(generate_series(1, array_length({{ list_column }}))) as {{ position }}
        from {{ relation }}
        where array_length({{ list_column }}) > 0
    ) as numbered
{%- endmacro %}

{# Sorted list of distinct values. #}
{% macro sorted_set(column) -%} list_sort(list(distinct {{ column }})) {%- endmacro %}

{# Number of elements of a list. #}
{% macro n_elements(column) -%} array_length({{ column }}) {%- endmacro %}

{# The elements of a list of texts, joined. #}
{% macro join_list(column, separator) -%} array_to_string({{ column }}, '{{ separator }}') {%- endmacro %}

{# An empty list of texts. #}
{% macro empty_text_list() -%} cast([] as varchar[]) {%- endmacro %}

{# ISO weekday, Monday 1 to Sunday 7, of a date from 1900 on. 1900-01-01 was a Monday. #}
{% macro iso_weekday(column) -%}
    ({{ dbt.datediff("cast('1900-01-01' as date)", column, 'day') }} % 7 + 1)
{%- endmacro %}

{# One row per key and day from `low` to `high`, both included. #}
{% macro days_between(relation, key, low, high) -%}
    select
        {{ key }},
        cast(unnest(generate_series({{ low }}, {{ high }}, interval 1 day)) as date) as calendar_on
    from {{ relation }}
{%- endmacro %}

{# First day of the week (Monday), month or quarter of a date. #}
{% macro period_start(grain, column) -%}
    cast({{ dbt.date_trunc(grain, column) }} as date)
{%- endmacro %}

{# The whole text matches the pattern. Patterns must not contain backslashes, which engines escape
   differently. #}
{% macro is_like_pattern(column, pattern) -%}
    regexp_matches({{ column }}, '^(?:{{ pattern }})$')
{%- endmacro %}

{# A printed name of one word, alone or with initials before or after it: `Wang`, `J.-P. Wang`,
   `Wang, J.`. #}
{% macro is_bare_name(column) -%}
    {%- set initials = '[^ .-]([.]?-[^ .-]|[.][^ .-])*[.]?' -%}
    {{ is_like_pattern(column, '(' ~ initials ~ ' )*[^ ]+|[^ ]+( ' ~ initials ~ ')*') }}
{%- endmacro %}
