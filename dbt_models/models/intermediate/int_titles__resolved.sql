{{ recompute_by('title') }}
{%- set text = dbt.type_string() -%}
{%- set shown_on = "coalesce(cast(published_on as " ~ text ~ "), '')" -%}
{%- set shown_as = "title_key || ' ' || " ~ shown_on ~ " || ' ' || coalesce(cast(n_authors as " ~ text ~ "), '')" %}
-- A title matches a paper with an arXiv id only if there is exactly one candidate, and neither date
-- nor author count contradicts it.
with items as (

    select * from {{ changed_rows(ref('stg_raw__items')) }}

),

date_precedence as (

    select * from {{ ref('date_precedence') }}

),

shown as (

    select
        title_key,
        published_on,
        n_authors,
        min(title) as title
    from items
    where arxiv_id is null
    group by title_key, published_on, n_authors

),

-- The earliest date and author count shown with a title identify it. Rows that contradict them are
-- another paper with the same title.
anchored as (

    select
        *,
        first_value(published_on) over (
            partition by title_key order by published_on nulls last, n_authors nulls last
        ) as anchor_published_on,
        first_value(n_authors) over (
            partition by title_key order by published_on nulls last, n_authors nulls last
        ) as anchor_n_authors
    from shown

),

titles as (

    select
        title_key,
        published_on,
        n_authors,
        title,
        coalesce(abs({{ dbt.datediff('anchor_published_on', 'published_on', 'day') }}) <= {{ var('title_match_days') }}, true)
        and coalesce(abs(n_authors - anchor_n_authors) <= {{ var('title_match_authors') }}, true) as is_anchored
    from anchored

),

title_keys as (

    select distinct title_key from titles

),

-- Candidates with their best date by precedence, and the range of author counts shown.
candidates as (

    select
        items.title_key,
        items.arxiv_id,
        {{ first_known('items.published_on', 'date_precedence.date_rank') }} as published_on,
        {{ first_known('date_precedence.date_precision', 'date_precedence.date_rank') }} as date_precision,
        min(items.n_authors) as min_n_authors,
        max(items.n_authors) as max_n_authors
    from items
    inner join title_keys on items.title_key = title_keys.title_key
    left join date_precedence on items.published_on_basis = date_precedence.basis
    where items.arxiv_id is not null
    group by items.title_key, items.arxiv_id

),

counted as (

    select
        title_key,
        count(*) as n_candidates,
        min(arxiv_id) as arxiv_id,
        min(published_on) as candidate_published_on,
        min(date_precision) as date_precision,
        min(min_n_authors) as min_n_authors,
        max(max_n_authors) as max_n_authors,
        {{ sorted_set('arxiv_id') }} as candidate_ids
    from candidates
    group by title_key

),

judged as (

    select
        titles.title_key,
        titles.title,
        titles.published_on,
        titles.n_authors,
        titles.is_anchored,
        coalesce(counted.n_candidates, 0) as n_candidates,
        counted.arxiv_id,
        counted.candidate_published_on,
        counted.date_precision,
        counted.min_n_authors,
        counted.max_n_authors,
        counted.candidate_ids,
        -- If only the candidate's month is known, adjacent months are compatible.
        coalesce(
            case
                when counted.date_precision = 'month' then abs({{ dbt.datediff('counted.candidate_published_on', 'titles.published_on', 'month') }}) <= 1
                else abs({{ dbt.datediff('counted.candidate_published_on', 'titles.published_on', 'day') }}) <= {{ var('title_match_days') }}
            end,
            true
        ) as is_date_compatible,
        -- Versions of a paper may add or drop authors.
        coalesce(
            titles.n_authors between counted.min_n_authors - {{ var('title_match_authors') }}
            and counted.max_n_authors + {{ var('title_match_authors') }},
            true
        ) as is_author_count_compatible
    from titles
    left join counted on titles.title_key = counted.title_key

),

resolved as (

    select
        title_key,
        title,
        published_on,
        n_authors,
        n_candidates,
        candidate_ids,
        case
            when n_candidates = 0 then 'unmatched'
            when n_candidates > 1 then 'ambiguous'
            when not is_date_compatible or not is_author_count_compatible then 'incompatible'
            else 'matched'
        end as outcome,
        case
            when n_candidates = 1 and is_date_compatible and is_author_count_compatible
                then 'arxiv:' || arxiv_id
            when is_anchored then 'title:' || substr({{ dbt.hash('title_key') }}, 1, 16)
            else 'title:' || substr({{ dbt.hash(shown_as) }}, 1, 16)
        end as paper_id,
        case
            when n_candidates = 0 then 'no identified paper has this title'
            when n_candidates > 1
                then 'same normalised title as ' || {{ join_list('candidate_ids', ' and ') }} || ': two ids are two papers'
            else
                'same normalised title as ' || arxiv_id
                || '; date here ' || coalesce(cast(published_on as {{ dbt.type_string() }}), 'not shown')
                || ', there ' || coalesce(cast(candidate_published_on as {{ dbt.type_string() }}), 'unknown')
                || case when date_precision = 'month' then ' (month only)' else '' end
                || '; authors here ' || coalesce(cast(n_authors as {{ dbt.type_string() }}), 'not shown')
                || ', there ' || coalesce(
                    case
                        when min_n_authors = max_n_authors then cast(min_n_authors as {{ dbt.type_string() }})
                        else cast(min_n_authors as {{ dbt.type_string() }}) || ' to ' || cast(max_n_authors as {{ dbt.type_string() }})
                    end,
                    'unknown'
                )
        end as evidence
    from judged

)

select * from resolved
