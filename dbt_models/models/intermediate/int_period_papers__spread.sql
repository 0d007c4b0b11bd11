{{ recompute_by('paper') }}
-- A paper with only a known month counts in no week.
with population_papers as (

    select * from {{ changed_rows(ref('int_population__papers')) }}

)

{% for grain in var('grains') %}
select distinct
    population,
    '{{ grain }}' as grain,
    {{ period_start(grain, 'counted_on') }} as period_start_on,
    paper_id
from population_papers
{% if grain == 'week' %}where date_precision = 'day'{% endif %}
{% if not loop.last %}union all{% endif %}
{% endfor %}
