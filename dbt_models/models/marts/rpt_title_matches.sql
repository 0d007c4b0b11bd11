with resolved as (

    select * from {{ ref('int_titles__resolved') }}

)

select
    title_key,
    title,
    published_on,
    n_authors,
    paper_id,
    outcome,
    n_candidates,
    evidence as match_evidence
from resolved
