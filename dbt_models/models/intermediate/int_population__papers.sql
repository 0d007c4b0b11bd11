{{ recompute_by('paper') }}
-- `hf_daily` counts papers by listing day; `arxiv` and its categories by the date of version 1, as
-- announcements show it. A date that only another source shows would place the papers that it also
-- lists more precisely than the others, and so favour them in weeks.
with listings as (

    select * from {{ changed_rows(ref('int_listings__unioned')) }}

),

items as (

    select * from {{ changed_rows(ref('int_items__identified')) }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

date_precedence as (

    select * from {{ ref('date_precedence') }}

),

announced as (

    select
        paper_id,
        {{ first_known('primary_category', 'text_order') }} as primary_category,
        {{ first_known('published_on', 'date_order') }} as counted_on,
        {{ first_known('published_on_basis', 'date_order') }} as basis
    from items
    where source = 'arxiv' and listing_kind = 'announcement' and announced_on is not null
    group by paper_id

),

dated as (

    select
        announced.paper_id,
        announced.primary_category,
        announced.counted_on,
        date_precedence.date_precision
    from announced
    inner join date_precedence on announced.basis = date_precedence.basis
    where announced.counted_on is not null

)

select
    'hf_daily' as population,
    paper_id,
    listed_on as counted_on,
    'listed_on' as clock,
    'day' as date_precision
from listings
where population = 'hf_daily'
union all
select
    'arxiv' as population,
    paper_id,
    counted_on,
    'published_on' as clock,
    date_precision
from dated
union all
select
    categories.population,
    dated.paper_id,
    dated.counted_on,
    'published_on' as clock,
    dated.date_precision
from dated
inner join categories on dated.primary_category = categories.category
