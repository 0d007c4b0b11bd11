{# What differs between engines, in one place. DuckDB is the default; Spark-compatible engines
   get their own form. Models use these and dbt's own cross-database macros, nothing else. #}

{# The value of `column` in the row where `order_column` is smallest, among rows with a value. #}
{% macro first_known(column, order_column) -%}
    {{ return(adapter.dispatch('first_known', 'papertide')(column, order_column)) }}
{%- endmacro %}
{% macro default__first_known(column, order_column) -%}
    min_by({{ column }}, {{ order_column }}) filter (where {{ column }} is not null)
{%- endmacro %}

{# One row per element of a list column: `unnest_list('items', 'authors', 'name', 'position')`
   gives the columns of the relation with the element and its place, from 1. #}
{% macro unnest_list(relation, list_column, element, position, keep) -%}
    {{ return(adapter.dispatch('unnest_list', 'papertide')(relation, list_column, element, position, keep)) }}
{%- endmacro %}
{% macro default__unnest_list(relation, list_column, element, position, keep) -%}
    select
        {% for column in keep %}{{ column }}, {% endfor %}
        unnest({{ list_column }}) as {{ element }},
        generate_subscripts({{ list_column }}, 1) as {{ position }}
    from {{ relation }}
    where {{ list_column }} is not null
{%- endmacro %}
{% macro spark__unnest_list(relation, list_column, element, position, keep) -%}
    select
        {% for column in keep %}{{ column }}, {% endfor %}
        exploded.{{ element }},
        exploded.zero_based + 1 as {{ position }}
    from {{ relation }}
    lateral view posexplode({{ list_column }}) exploded as zero_based, {{ element }}
{%- endmacro %}

{# Sorted list of distinct values. #}
{% macro sorted_set(column) -%}
    {{ return(adapter.dispatch('sorted_set', 'papertide')(column)) }}
{%- endmacro %}
{% macro default__sorted_set(column) -%} list_sort(list(distinct {{ column }})) {%- endmacro %}
{% macro spark__sorted_set(column) -%} sort_array(collect_set({{ column }})) {%- endmacro %}

{# Number of elements of a list. #}
{% macro n_elements(column) -%}
    {{ return(adapter.dispatch('n_elements', 'papertide')(column)) }}
{%- endmacro %}
{% macro default__n_elements(column) -%} len({{ column }}) {%- endmacro %}
{% macro spark__n_elements(column) -%} cast(size({{ column }}) as bigint) {%- endmacro %}

{# One text from a list of texts. #}
{% macro join_list(column, separator) -%}
    {{ return(adapter.dispatch('join_list', 'papertide')(column, separator)) }}
{%- endmacro %}
{% macro default__join_list(column, separator) -%} array_to_string({{ column }}, '{{ separator }}') {%- endmacro %}
{% macro spark__join_list(column, separator) -%} array_join({{ column }}, '{{ separator }}') {%- endmacro %}

{# ISO weekday, Monday 1 to Sunday 7. #}
{% macro iso_weekday(column) -%}
    {{ return(adapter.dispatch('iso_weekday', 'papertide')(column)) }}
{%- endmacro %}
{% macro default__iso_weekday(column) -%} isodow({{ column }}) {%- endmacro %}
{% macro spark__iso_weekday(column) -%} (weekday({{ column }}) + 1) {%- endmacro %}

{# Every day from the earliest `low` to the latest `high` of a relation, per key. #}
{% macro days_between(relation, key, low, high) -%}
    {{ return(adapter.dispatch('days_between', 'papertide')(relation, key, low, high)) }}
{%- endmacro %}
{% macro default__days_between(relation, key, low, high) -%}
    select {{ key }}, cast(unnest(generate_series({{ low }}, {{ high }}, interval 1 day)) as date) as day_on
    from {{ relation }}
{%- endmacro %}
{% macro spark__days_between(relation, key, low, high) -%}
    select {{ key }}, explode(sequence({{ low }}, {{ high }}, interval 1 day)) as day_on
    from {{ relation }}
{%- endmacro %}

{# First day of the week (Monday), month or quarter of a date, as a date. #}
{% macro period_start(grain, column) -%}
    cast({{ dbt.date_trunc(grain, column) }} as date)
{%- endmacro %}

{# A list of texts with nothing in it. #}
{% macro empty_text_list() -%}
    {{ return(adapter.dispatch('empty_text_list', 'papertide')()) }}
{%- endmacro %}
{% macro default__empty_text_list() -%} cast([] as varchar[]) {%- endmacro %}
{% macro spark__empty_text_list() -%} cast(array() as array<string>) {%- endmacro %}

{# The whole text has the form of a pattern; patterns are free of backslashes, which engines read
   differently. #}
{% macro is_like_pattern(column, pattern) -%}
    {{ return(adapter.dispatch('is_like_pattern', 'papertide')(column, pattern)) }}
{%- endmacro %}
{% macro default__is_like_pattern(column, pattern) -%} regexp_full_match({{ column }}, '{{ pattern }}') {%- endmacro %}
{% macro spark__is_like_pattern(column, pattern) -%} ({{ column }} rlike '^({{ pattern }})$') {%- endmacro %}

{# A printed name of one word, alone or with initials on one side of it: `Wang`, `J.-P. Wang`,
   `Wang, J.`. #}
{% macro is_bare_name(column) -%}
    {%- set initials = '[^ .-]([.]?-[^ .-]|[.][^ .-])*[.]?' -%}
    {{ is_like_pattern(column, '(' ~ initials ~ ' )*[^ ]+|[^ ]+( ' ~ initials ~ ')*') }}
{%- endmacro %}
