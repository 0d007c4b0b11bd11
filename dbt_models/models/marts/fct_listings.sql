{{ recompute_by('paper') }}
with listings as (

    select * from {{ changed_rows(ref('int_listings__unioned')) }}

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
