{{ config_by_paper() }}
-- Which papers a period's figures count, and by which clock: `hf_daily` by listing day, `arxiv` by
-- the day (or only the month) of version 1.
with listings as (

    select * from {{ ref('int_listings__unioned') }}

),

papers as (

    select * from {{ ref('int_papers__merged') }}

),

announced as (

    select distinct paper_id
    from listings
    where population = 'arxiv'

)

select
    'hf_daily' as population,
    paper_id,
    listed_on as counted_on,
    'listed_on' as clock,
    'day' as date_precision
from listings
where population = 'hf_daily' and {{ is_touched_paper() }}
union all
select
    'arxiv' as population,
    papers.paper_id,
    papers.published_on as counted_on,
    'published_on' as clock,
    papers.published_on_precision as date_precision
from announced
inner join papers on announced.paper_id = papers.paper_id
where papers.published_on is not null and {{ is_touched_paper('papers.paper_id') }}
