{# Each expression is true in every row; null counts as a failure. Returns one row per expression
   that fails, with the number of rows in which it does. #}
{% test expressions_are_true(model, expressions) %}
with counted as (

    select
        {% for expression in expressions -%}
        count(case when {{ expression }} then 1 end) as n_{{ loop.index }},
        {% endfor -%}
        count(*) as n_rows
    from {{ model }}

)

{% for expression in expressions %}
select
    {{ dbt.string_literal(dbt.escape_single_quotes(expression)) }} as broken,
    n_rows - n_{{ loop.index }} as n_rows
from counted
where n_{{ loop.index }} < n_rows
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% endtest %}
