{# The expression is true in every row; null counts as a failure. #}
{% test holds(model, expression) %}
select *
from {{ model }}
where not coalesce(({{ expression }}), false)
{% endtest %}
