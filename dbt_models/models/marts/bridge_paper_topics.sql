{{ config_by_paper() }}
with paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

topics as (

    select * from {{ ref('stg_lake__topics') }}

),

versions as (

    select max(rules_version) as rules_version from topics

)

select
    paper_topics.paper_id,
    paper_topics.topic_id,
    cast(paper_topics.score as double) as score,
    paper_topics.evidence,
    versions.rules_version
from paper_topics
cross join versions
where {{ is_touched_paper() }}
