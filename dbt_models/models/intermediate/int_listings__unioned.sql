{{ recompute_by('paper') }}
-- Daily lists define the population `hf_daily`, announcements define `arxiv`. Search, trending,
-- weekly and monthly pages add papers, but not to a population.
with items as (

    select * from {{ changed_rows(ref('int_items__identified')) }}

),

placed as (

    select
        paper_id,
        item_id,
        position,
        listing_kind,
        upvotes,
        comments,
        captured_at,
        text_rank,
        case listing_kind when 'daily' then 'hf_daily' else 'arxiv' end as population,
        case listing_kind when 'daily' then listed_on else announced_on end as listed_on
    from items
    where
        (listing_kind = 'daily' and source in ('hf_api', 'hf_page'))
        or (listing_kind = 'announcement' and source = 'arxiv')

),

-- The newest capture of the day decides rank and counters.
ranked as (

    select
        *,
        row_number() over (
            partition by paper_id, population, listed_on
            order by captured_at desc, text_rank asc, position asc, item_id asc
        ) as capture_order
    from placed
    where listed_on is not null

)

select
    paper_id,
    population,
    listed_on,
    listing_kind,
    case when population = 'hf_daily' then position end as rank,
    upvotes,
    comments
from ranked
where capture_order = 1
