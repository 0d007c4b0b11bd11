-- Papers counted in a population, and whether that was in the newest quarter for the first time.
{{ config(materialized='view') }}
with papers as (

    select * from {{ ref('int_papers__merged') }}

),

population_papers as (

    select * from {{ ref('int_population__papers') }}

),

newest as (

    select {{ period_start('quarter', 'max(counted_on)') }} as quarter_start_on
    from population_papers

),

chosen as (

    select
        population_papers.paper_id,
        min(population_papers.counted_on) >= min(newest.quarter_start_on) as is_in_newest_quarter
    from population_papers
    cross join newest
    group by population_papers.paper_id

)

select
    papers.paper_id,
    papers.title,
    papers.abstract,
    papers.keywords,
    chosen.is_in_newest_quarter,
    {{ dbt.hash("papers.title || '|' || coalesce(papers.abstract, '') || '|' || coalesce(cast(papers.keywords as varchar), '')") }} as text_hash
from papers
inner join chosen on papers.paper_id = chosen.paper_id
