with items as (

    select * from {{ source('raw', 'items') }}

),

captures as (

    select * from {{ source('raw', 'captures') }}

),

joined as (

    select
        items.item_id,
        items.capture_id,
        items.position,
        captures.source,
        captures.format,
        captures.listing_kind,
        captures.listed_on,
        captures.captured_at,
        captures.observations,
        items.arxiv_id,
        items.arxiv_version,
        items.title,
        items.title_key,
        items.abstract,
        items.authors,
        items.n_authors,
        items.published_on,
        items.published_on_basis,
        items.announced_on,
        items.primary_category,
        items.categories,
        items.keywords,
        items.organization,
        items.github_url,
        items.project_url,
        items.upvotes,
        items.comments,
        items.github_stars
    from items
    inner join captures on items.capture_id = captures.capture_id

)

select * from joined
