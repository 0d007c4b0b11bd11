{# Formulas that several marts use; docs/methodology.md states sources and limits. #}

{# Bound of the 95 % Wilson score interval of k / n. Null if n is 0. #}
{% macro wilson(k, n, side) -%}
    {%- set z = var('z95') -%}
    case
        when {{ n }} = 0 then null
        {%- if side == 'low' %}
        when {{ k }} = 0 then 0.0
        {%- else %}
        when {{ k }} = {{ n }} then 1.0
        {%- endif %}
        else (
            {{ k }} + {{ z * z / 2 }}
            {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt(
                cast({{ k }} as double) * ({{ n }} - {{ k }}) / {{ n }} + {{ z * z / 4 }}
            )
        ) / ({{ n }} + {{ z * z }})
    end
{%- endmacro %}

{# Rank of the order statistic that bounds quantile q of n values at 95 %; may be outside 1 to n. #}
{% macro quantile_rank(q, n, side) -%}
    {%- set z = var('z95') -%}
    {%- if side == 'low' -%}
    cast(floor({{ n }} * {{ q }} - {{ z }} * sqrt({{ n }} * {{ q * (1 - q) }})) as bigint)
    {%- else -%}
    cast(ceil({{ n }} * {{ q }} + {{ z }} * sqrt({{ n }} * {{ q * (1 - q) }})) as bigint) + 1
    {%- endif -%}
{%- endmacro %}

{# Buckets of author counts: 1 to 9, 10–19, 20–49, 50+; and their lower bounds. #}
{% macro author_bucket(column) -%}
    case
        when {{ column }} < 10 then cast({{ column }} as {{ dbt.type_string() }})
        when {{ column }} < 20 then '10–19'
        when {{ column }} < 50 then '20–49'
        else '50+'
    end
{%- endmacro %}
{% macro author_bucket_order(column) -%}
    case
        when {{ column }} < 10 then {{ column }}
        when {{ column }} < 20 then 10
        when {{ column }} < 50 then 20
        else 50
    end
{%- endmacro %}
