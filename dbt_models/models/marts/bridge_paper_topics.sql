with paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

placed as (

    select * from {{ ref('int_paper_topics__placed') }}

),

ranked as (

    select
        *,
        row_number() over (partition by topic_id order by score desc, paper_id) as topic_rank
    from placed

)

select
    paper_id,
    topic_id,
    case when topic_id = 'no-topic' then 'none' else 'taxonomy' end as kind,
    cast(score as double) as score,
    evidence,
    false as is_representative
from paper_topics
union all
select
    paper_id,
    topic_id,
    'discovered' as kind,
    score,
    evidence,
    topic_rank <= {{ var('n_representative_papers') }} as is_representative
from ranked
