{{ recompute_by('paper') }}
-- `text_order`, `newest_order` and `date_order` rank the items of a paper for text, counters and date.
with items as (

    select * from {{ ref('stg_raw__items') }}

),

titles as (

    select * from {{ ref('int_titles__resolved') }}

),

source_precedence as (

    select * from {{ ref('source_precedence') }}

),

date_precedence as (

    select * from {{ ref('date_precedence') }}

),

identified as (

    select
        items.*,
        coalesce('arxiv:' || items.arxiv_id, titles.paper_id) as paper_id,
        coalesce(source_precedence.text_rank, 9) as text_rank,
        date_precedence.date_rank
    from items
    left join titles
        on
            items.arxiv_id is null
            and items.title_key = titles.title_key
            and items.published_on is not distinct from titles.published_on
            and items.n_authors is not distinct from titles.n_authors
    left join source_precedence on items.format = source_precedence.format
    left join date_precedence on items.published_on_basis = date_precedence.basis

),

ranked as (

    select
        *,
        row_number() over (
            partition by paper_id
            order by text_rank asc, captured_at desc, announced_on desc nulls last, item_id asc
        ) as text_order,
        row_number() over (
            partition by paper_id
            order by captured_at desc, text_rank asc, item_id asc
        ) as newest_order,
        row_number() over (
            partition by paper_id
            order by date_rank asc nulls last, captured_at desc, item_id asc
        ) as date_order
    from {{ changed_rows('identified') }}

)

select * from ranked
