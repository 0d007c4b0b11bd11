with authorships as (

    select * from {{ ref('bridge_paper_authors') }}

)

select
    author_id,
    author_name,
    count(distinct paper_id) as n_papers
from authorships
group by author_id, author_name
