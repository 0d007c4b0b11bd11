{{ recompute_by('paper') }}
-- Keywords count only without an abstract. They are derived from the abstract and exist since March
-- 2025 only, so counting both would count the same evidence twice and distort trends.
with papers as (

    select * from {{ changed_rows(ref('int_papers__merged')) }}

),

matches as (

    select * from {{ ref('stg_raw__topic_matches') }}

),

rules as (

    select * from {{ ref('stg_raw__topic_rules') }}

),

texts as (

    select
        paper_id,
        'title' as field,
        {{ dbt.hash('title') }} as text_hash,
        abstract is null as has_no_abstract
    from papers
    where title is not null
    union all
    select
        paper_id,
        'keywords' as field,
        {{ dbt.hash(join_list('keywords', ' | ')) }} as text_hash,
        true as has_no_abstract
    from papers
    where keywords is not null and abstract is null
    union all
    select
        paper_id,
        'abstract' as field,
        {{ dbt.hash('abstract') }} as text_hash,
        false as has_no_abstract
    from papers
    where abstract is not null

),

found as (

    select
        texts.paper_id,
        matches.topic_id,
        texts.field,
        matches.matched,
        -- A single word is weak evidence, unless it is a name.
        matches.matched like '% %' or rules.role = 'alias' as is_sure,
        max(
            case
                when matches.matched like '% %' or rules.role <> 'phrase' or texts.has_no_abstract
                    then 3
                else 1
            end
        ) as title_points,
        sum(matches.n_matches) as n_matches
    from texts
    inner join matches on texts.text_hash = matches.text_hash
    inner join rules on matches.topic_id = rules.topic_id and matches.phrase = rules.phrase
    where texts.field = 'title' or rules.role <> 'title'
    group by texts.paper_id, matches.topic_id, texts.field, matches.matched, rules.role

),

scored as (

    select
        paper_id,
        topic_id,
        max(case when field = 'title' then title_points else 0 end)
        + max(case when field = 'keywords' then 2 else 0 end)
        + least(
            sum(case when field = 'abstract' and is_sure then n_matches else 0 end)
            + ceil(sum(case when field = 'abstract' and not is_sure then n_matches else 0 end) / 2.0),
            3
        ) as score,
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
