{# The table has at least one row. #}
{% test not_empty(model) %}
select 1 as missing
where not exists (select 1 from {{ model }})
{% endtest %}
