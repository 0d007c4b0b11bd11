-- Terms are learned from papers counted before the newest quarter.
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

    select distinct population_papers.paper_id
    from population_papers
    cross join newest
    where population_papers.counted_on < newest.quarter_start_on

)

select
    papers.paper_id,
    papers.title,
    papers.abstract,
    papers.keywords,
    {{ dbt.hash("papers.title || '|' || coalesce(papers.abstract, '') || '|' || coalesce(cast(papers.keywords as varchar), '')") }} as text_hash
from papers
inner join chosen on papers.paper_id = chosen.paper_id
