{{ config_by_paper() }}
with paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

)

select
    paper_id,
    topic_id,
    cast(score as double) as score,
    evidence
from paper_topics
where {{ is_touched_paper() }}
