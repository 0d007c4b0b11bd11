{# The columns identify a row: no two rows share them, and none is null except those in `nullable`.
   With `recompute_by`, only rows that this build recomputed are tested. #}
{% test unique_key(model, columns, nullable=[], recompute_by=none) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ model }}
{% if recompute_by is not none %}where {{ is_changed(recompute_by) }}{% endif %}
group by {{ columns | join(', ') }}
having count(*) > 1{% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{% endtest %}
