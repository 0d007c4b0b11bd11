{{ recompute_by('paper') }}
-- `hf_daily` counts papers by listing day; `arxiv` and its categories by the date of version 1.
with listings as (

    select * from {{ changed_rows(ref('int_listings__unioned')) }}

),

papers as (

    select * from {{ changed_rows(ref('int_papers__merged')) }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

announced as (

    select distinct paper_id
    from listings
    where population = 'arxiv'

),

dated as (

    select
        papers.paper_id,
        papers.primary_category,
        papers.published_on as counted_on,
        papers.published_on_precision as date_precision
    from announced
    inner join papers on announced.paper_id = papers.paper_id
    where papers.published_on is not null

)

select
    'hf_daily' as population,
    paper_id,
    listed_on as counted_on,
    'listed_on' as clock,
    'day' as date_precision
from listings
where population = 'hf_daily'
union all
select
    'arxiv' as population,
    paper_id,
    counted_on,
    'published_on' as clock,
    date_precision
from dated
union all
select
    categories.population,
    dated.paper_id,
    dated.counted_on,
    'published_on' as clock,
    dated.date_precision
from dated
inner join categories on dated.primary_category = categories.category
