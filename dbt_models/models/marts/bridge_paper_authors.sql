{{ recompute_by('paper') }}
with papers as (

    select * from {{ changed_rows(ref('int_papers__merged')) }}

),

names as (

    {{ unnest_list('papers', 'authors', 'author_name', 'position', ['paper_id']) }}

)

select
    paper_id,
    {{ dbt.hash('author_name') }} as author_id,
    cast(position as bigint) as position,
    author_name
from names
