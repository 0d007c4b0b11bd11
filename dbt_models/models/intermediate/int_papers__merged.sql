{{ recompute_by('paper') }}
-- Text columns follow `source_precedence`, dates follow `date_precedence`; counters and links come from
-- the newest observation. A source whose longest list or text is at most half as long as another's is
-- incomplete in that column: it gives way, whatever its rank.
with items as (

    select * from {{ changed_rows(ref('int_items__identified')) }}

),

listings as (

    select * from {{ changed_rows(ref('int_listings__unioned')) }}

),

date_precedence as (

    select * from {{ ref('date_precedence') }}

),

first_listed as (

    select
        paper_id,
        min(listed_on) as first_listed_on
    from listings
    where population = 'hf_daily'
    group by paper_id

),

measured as (

    select
        *,
        {{ n_elements('authors') }} as n_names,
        length(abstract) as abstract_chars,
        {{ n_elements('categories') }} as n_categories
    from items

),

compared as (

    select
        *,
        max(n_names) over (partition by paper_id) as most_names,
        max(n_names) over (partition by paper_id, text_rank) as most_names_of_rank,
        max(abstract_chars) over (partition by paper_id) as most_chars,
        max(abstract_chars) over (partition by paper_id, text_rank) as most_chars_of_rank,
        max(n_categories) over (partition by paper_id) as most_categories,
        max(n_categories) over (partition by paper_id, text_rank) as most_categories_of_rank
    from measured

),

completed as (

    select
        *,
        case when 2 * most_names_of_rank > most_names then authors end as whole_authors,
        case when 2 * most_chars_of_rank > most_chars then abstract end as whole_abstract,
        case when 2 * most_categories_of_rank > most_categories then categories end as whole_categories
    from compared

),

merged as (

    select
        paper_id,
        min(arxiv_id) as arxiv_id,
        {{ first_known('title', 'text_order') }} as title,
        {{ first_known('whole_abstract', 'text_order') }} as abstract,
        {{ first_known('whole_authors', 'text_order') }} as authors,
        {{ first_known('n_authors', 'text_order') }} as n_authors_shown,
        {{ first_known('published_on', 'date_order') }} as published_on,
        {{ first_known('published_on_basis', 'date_order') }} as published_on_basis,
        {{ first_known('primary_category', 'text_order') }} as primary_category,
        {{ first_known('whole_categories', 'text_order') }} as categories,
        {{ first_known('keywords', 'newest_order') }} as keywords,
        {{ first_known('organization', 'newest_order') }} as organization,
        {{ first_known('github_url', 'newest_order') }} as github_url,
        {{ first_known('project_url', 'newest_order') }} as project_url,
        {{ first_known('upvotes', 'newest_order') }} as upvotes,
        {{ first_known('comments', 'newest_order') }} as comments,
        {{ first_known('github_stars', 'newest_order') }} as github_stars,
        max(arxiv_version) as arxiv_version,
        {{ sorted_set('source') }} as sources,
        count(*) as n_items
    from completed
    group by paper_id

)

select
    merged.*,
    -- The length of the author list takes precedence over a number without a list.
    coalesce({{ n_elements('merged.authors') }}, merged.n_authors_shown) as n_authors,
    date_precedence.date_precision as published_on_precision,
    first_listed.first_listed_on
from merged
left join first_listed on merged.paper_id = first_listed.paper_id
left join date_precedence on merged.published_on_basis = date_precedence.basis
