{{ config_by_paper() }}
-- paper × topic: where the topic's words stand, and the score that follows. Keywords count only
-- where there is no abstract: they are drawn from it, and exist only since March 2025, so counting
-- them beside it would say the same thing twice and bend every trend.
with papers as (

    select * from {{ ref('int_papers__merged') }}

),

matches as (

    select * from {{ ref('stg_lake__topic_matches') }}

),

texts as (

    select paper_id, 'title' as field, {{ dbt.hash('title') }} as text_hash
    from papers
    where title is not null and {{ is_touched_paper() }}
    union all
    select paper_id, 'keywords' as field, {{ dbt.hash(join_list('keywords', ' | ')) }} as text_hash
    from papers
    where keywords is not null and abstract is null and {{ is_touched_paper() }}
    union all
    select paper_id, 'abstract' as field, {{ dbt.hash('abstract') }} as text_hash
    from papers
    where abstract is not null and {{ is_touched_paper() }}

),

found as (

    select
        texts.paper_id,
        matches.topic_id,
        texts.field,
        matches.matched,
        sum(matches.n_matches) as n_matches
    from texts
    inner join matches on texts.text_hash = matches.text_hash
    group by texts.paper_id, matches.topic_id, texts.field, matches.matched

),

scored as (

    select
        paper_id,
        topic_id,
        max(case when field = 'title' then 3 else 0 end)
        + max(case when field = 'keywords' then 2 else 0 end)
        + least(sum(case when field = 'abstract' then n_matches else 0 end), 3) as score,
        {{ sorted_set("field || ': ' || matched") }} as evidence
    from found
    group by paper_id, topic_id

)

select
    paper_id,
    topic_id,
    cast(score as bigint) as score,
    evidence
from scored
where score >= {{ var('topic_score_threshold') }}
