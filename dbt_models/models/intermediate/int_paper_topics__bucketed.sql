{{ recompute_by('paper') }}
with scored as (

    select * from {{ changed_rows(ref('int_paper_topics__scored')) }}

),

papers as (

    select * from {{ changed_rows(ref('int_papers__merged')) }}

)

select
    paper_id,
    topic_id,
    score,
    evidence
from scored
union all
select
    papers.paper_id,
    'no-topic' as topic_id,
    cast(0 as bigint) as score,
    {{ empty_text_list() }} as evidence
from papers
left join scored on papers.paper_id = scored.paper_id
where scored.paper_id is null
