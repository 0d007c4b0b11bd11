{{ recompute_by('paper') }}
with papers as (

    select * from {{ changed_rows(ref('int_papers__merged')) }}

)

select
    paper_id,
    arxiv_id,
    arxiv_version,
    title,
    abstract,
    authors,
    n_authors,
    published_on,
    published_on_basis,
    published_on_precision,
    primary_category,
    categories,
    keywords,
    first_listed_on,
    organization,
    github_url,
    project_url,
    upvotes,
    comments,
    github_stars,
    sources,
    n_items
from papers
