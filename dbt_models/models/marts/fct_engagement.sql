with items as (

    select * from {{ ref('int_items__identified') }}

),

-- Two captures of one moment are one observation: what the more trusted source shows.
observed as (

    select
        paper_id,
        captured_at as observed_at,
        {{ first_known('upvotes', 'newest_order') }} as upvotes,
        {{ first_known('comments', 'newest_order') }} as comments,
        {{ first_known('github_stars', 'newest_order') }} as github_stars
    from items
    where upvotes is not null or comments is not null or github_stars is not null
    group by paper_id, captured_at

)

select
    paper_id,
    observed_at,
    upvotes,
    comments,
    github_stars
from observed
