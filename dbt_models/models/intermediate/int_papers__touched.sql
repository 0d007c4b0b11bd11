-- Papers whose items changed since the last build: those that hold them now, and those that did.
with titles as (

    select * from {{ ref('int_titles__resolved') }}

),

touched_items as (

    select * from {{ source('raw', 'touched_items') }}

),

touched_papers as (

    select * from {{ source('raw', 'touched_papers') }}

),

now as (

    select 'arxiv:' || arxiv_id as paper_id
    from touched_items
    where arxiv_id is not null
    union
    select titles.paper_id
    from titles
    where titles.title_key in (select title_key from touched_items)

)

select paper_id from now
union
select paper_id from touched_papers
