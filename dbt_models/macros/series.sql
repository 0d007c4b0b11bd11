{# The columns of int_series__judged that topic and term trends share. Changes over the other horizons
   are rows of rpt_topic_changes and rpt_term_changes. #}
{% macro trend_columns(series) -%}
    {{ series }}.n_papers,
    {{ series }}.n_total,
    cast({{ series }}.n_papers as double) / {{ series }}.n_total as share,
    {{ wilson(series ~ '.n_papers', series ~ '.n_total', 'low') }} as share_low,
    {{ wilson(series ~ '.n_papers', series ~ '.n_total', 'high') }} as share_high,
    {{ series }}.n_total >= {{ var('min_sufficient_n') }} as is_sufficient,
    {{ series }}.level,
    {{ series }}.level_low,
    {{ series }}.level_high,
    {{ series }}.horizon,
    {{ series }}.growth,
    {{ series }}.growth_low,
    {{ series }}.growth_high,
    {{ series }}.growth_level,
    {{ series }}.sign_error,
    {{ series }}.hold_probability,
    {{ series }}.level_before,
    {{ series }}.began_on,
    {{ series }}.began_from_on,
    {{ series }}.began_to_on,
    {{ series }}.verdict,
    {{ series }}.verdict_reason,
    {{ series }}.burst_level,
    {{ series }}.first_seen_on,
    {{ series }}.is_emerging,
    {{ series }}.is_partial,
    {{ series }}.coverage_share
{%- endmacro %}

{# The columns of int_changes__stated that topic and term changes share. #}
{% macro change_columns(changes) -%}
    {{ changes }}.horizon,
    {{ changes }}.level,
    {{ changes }}.level_before,
    {{ changes }}.growth,
    {{ changes }}.growth_low,
    {{ changes }}.growth_high,
    {{ changes }}.sign_error,
    {{ changes }}.hold_probability,
    {{ changes }}.began_on,
    {{ changes }}.began_from_on,
    {{ changes }}.began_to_on,
    {{ changes }}.verdict,
    {{ changes }}.verdict_reason,
    {{ changes }}.statement
{%- endmacro %}
