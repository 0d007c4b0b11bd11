{{ config_by_paper() }}
with paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

)

select
    paper_id,
    topic_id,
    score,
    evidence
from paper_topics
where {{ is_touched_paper() }}
