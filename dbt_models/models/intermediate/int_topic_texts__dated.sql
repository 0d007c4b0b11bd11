{{ recompute_by('paper') }}
-- Topics are learned from the earliest text of each paper, so later revisions don't change a fit.
with items as (

    select * from {{ changed_rows(ref('int_items__identified')) }}

),

dated as (

    select
        paper_id,
        item_id,
        title,
        abstract,
        keywords,
        text_rank,
        captured_at,
        coalesce(listed_on, announced_on, published_on) as dated_on
    from items

),

ranked as (

    select
        *,
        row_number() over (
            partition by paper_id
            order by
                dated_on nulls last,
                case when abstract is null then 1 else 0 end,
                text_rank,
                captured_at,
                item_id
        ) as date_order
    from dated

)

select
    paper_id,
    item_id,
    dated_on,
    {{ dbt.hash("coalesce(title, '') || '|' || coalesce(abstract, '') || '|' || coalesce(" ~ join_list('keywords', ' | ') ~ ", '')") }} as text_hash
from ranked
where date_order = 1
