{{ recompute_by('paper') }}
with period_papers as (

    select * from {{ changed_rows(ref('int_period_papers__spread')) }}

),

paper_topics as (

    select * from {{ changed_rows(ref('int_paper_topics__bucketed')) }}

)

select
    population,
    grain,
    period_start_on,
    'all' as topic_id,
    paper_id
from period_papers
union all
select
    period_papers.population,
    period_papers.grain,
    period_papers.period_start_on,
    paper_topics.topic_id,
    period_papers.paper_id
from period_papers
inner join paper_topics on period_papers.paper_id = paper_topics.paper_id
