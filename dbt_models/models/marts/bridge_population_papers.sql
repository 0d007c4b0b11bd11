{{ config_by_paper() }}
with population_papers as (

    select * from {{ ref('int_population__papers') }}

)

select
    population,
    paper_id,
    counted_on,
    clock,
    date_precision
from population_papers
where {{ is_touched_paper() }}
