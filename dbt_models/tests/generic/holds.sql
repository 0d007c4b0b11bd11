{# Each expression is true in every row; null counts as a failure. A row for each that is not, with
   the number of rows in which it isn't. #}
{% test holds(model, expressions) %}
{% for expression in expressions %}
select {{ dbt.string_literal(dbt.escape_single_quotes(expression)) }} as broken, count(*) as n_rows
from {{ model }}
where not coalesce(({{ expression }}), false)
having count(*) > 0
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% endtest %}
