{{ config_by_paper() }}
with items as (

    select * from {{ ref('int_items__identified') }}

),

-- An answer that came again unchanged is an observation of its own.
moments as (

    {{ unnest_list('items', 'observations', 'seen_at', 'moment', ['paper_id', 'newest_order', 'upvotes', 'comments', 'github_stars']) }}

),

-- Two captures of one moment are one observation: what the more trusted source shows.
observed as (

    select
        paper_id,
        seen_at as observed_at,
        {{ first_known('upvotes', 'newest_order') }} as upvotes,
        {{ first_known('comments', 'newest_order') }} as comments,
        {{ first_known('github_stars', 'newest_order') }} as github_stars
    from moments
    where
        {{ is_touched_paper() }}
        and (upvotes is not null or comments is not null or github_stars is not null)
    group by paper_id, seen_at

)

select
    paper_id,
    observed_at,
    upvotes,
    comments,
    github_stars
from observed
