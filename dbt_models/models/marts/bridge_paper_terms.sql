with paper_terms as (

    select * from {{ ref('int_paper_terms__found') }}

)

select
    paper_id,
    term_id,
    n_mentions
from paper_terms
