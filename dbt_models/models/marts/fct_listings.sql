{{ config_by_paper() }}
with listings as (

    select * from {{ ref('int_listings__unioned') }}

)

select
    paper_id,
    population,
    listed_on,
    listing_kind,
    rank,
    upvotes,
    comments
from listings
where {{ is_touched_paper() }}
