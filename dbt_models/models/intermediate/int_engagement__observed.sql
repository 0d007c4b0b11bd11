{{ recompute_by('paper') }}
with items as (

    select * from {{ changed_rows(ref('int_items__identified')) }}

),

-- A response received again unchanged is a separate observation.
moments as (

    {{ unnest_list('items', 'observations', 'observed_at', 'place', ['paper_id', 'newest_order', 'upvotes', 'comments', 'github_stars']) }}

)

-- Captures at the same time are one observation; for each counter, the first source by precedence
-- decides.
select
    paper_id,
    observed_at,
    {{ first_known('upvotes', 'newest_order') }} as upvotes,
    {{ first_known('comments', 'newest_order') }} as comments,
    {{ first_known('github_stars', 'newest_order') }} as github_stars
from moments
where upvotes is not null or comments is not null or github_stars is not null
group by paper_id, observed_at
