with paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

placed as (

    select * from {{ ref('int_paper_topics__placed') }}

),

ranked as (

    select
        *,
        row_number() over (partition by topic_id order by score desc, paper_id asc) as topic_rank
    from placed

),

topics as (

    select * from {{ ref('stg_raw__topics') }}

),

versions as (

    select max(rules_version) as rules_version from topics

)

select
    paper_topics.paper_id,
    paper_topics.topic_id,
    case when paper_topics.topic_id = 'no-topic' then 'none' else 'taxonomy' end as kind,
    cast(paper_topics.score as double) as score,
    paper_topics.evidence,
    false as is_representative,
    versions.rules_version
from paper_topics
cross join versions
union all
select
    paper_id,
    topic_id,
    'discovered' as kind,
    score,
    evidence,
    topic_rank <= {{ var('n_representative_papers') }} as is_representative,
    learned_from as rules_version
from ranked
