-- Also lists the days on which the last build counted these papers: later models replace that table.
with changed_items as (

    select * from {{ ref('int_items__changed') }}

),

titles as (

    select * from {{ ref('int_titles__resolved') }}

),

previous_items as (

    {{ last_build('items', {'arxiv_id': dbt.type_string(), 'title_key': dbt.type_string(), 'paper_id': dbt.type_string()}) }}

),

previous_population_papers as (

    {{ last_build('population_papers', {'population': dbt.type_string(), 'paper_id': dbt.type_string(), 'counted_on': 'date'}) }}

),

-- A paper is changed if an item of a changed capture belongs to it now, or did in the last build.
papers as (

    select 'arxiv:' || arxiv_id as paper_id
    from changed_items
    where arxiv_id is not null
    union
    select paper_id
    from titles
    where title_key in (select changed_items.title_key from changed_items)
    union
    select paper_id
    from previous_items
    where arxiv_id is null and title_key in (select changed_items.title_key from changed_items)

)

select
    papers.paper_id,
    previous_population_papers.population as previous_population,
    previous_population_papers.counted_on as previous_counted_on
from papers
left join previous_population_papers on papers.paper_id = previous_population_papers.paper_id
