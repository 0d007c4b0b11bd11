{{ recompute_by('paper') }}
with population_papers as (

    select * from {{ changed_rows(ref('int_population__papers')) }}

)

select
    population,
    paper_id,
    counted_on,
    clock,
    date_precision
from population_papers
