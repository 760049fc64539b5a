# Maintenance windows: their rules, and what a monitor's item carries of them.

locals {
  written_windows = try([for window in local.file.maintenance : try(merge(window), {})], [])

  windows = [
    for window in local.written_windows : {
      monitors = try(tolist(window.monitors), [])
      tags     = try(tolist(window.tags), [])
      # The item needs no word of whom else it covers.
      encoded = { M = {
        for name, value in window : name => { (value == null ? "NULL" : "S") = [value, true][value == null ? 1 : 0] }
        if !contains(["monitors", "tags"], name)
      } }
    }
  ]
  maintenance = {
    for id, good in local.good : id => [
      for window in local.windows : window.encoded
      if length(window.monitors) + length(window.tags) == 0 || contains(window.monitors, id) || anytrue([for tag in try(good.tags, []) : contains(window.tags, tag)])
    ]
  }

  tags_in_use  = distinct(flatten([for good in values(local.good) : try(good.tags, [])]))
  window_texts = ["from", "until", "every", "for", "zone", "why"]
  # `every`: days, a space, a time.
  recurring = "^(daily|((mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))*)) +([01][0-9]|2[0-3]):[0-5][0-9]$"
  week_ms   = 7 * 86400000

  window_faults = concat(
    try(local.file.maintenance, null) == null || substr(jsonencode(try(local.file.maintenance, "")), 0, 1) == "[" ? [] : ["maintenance: is not a list of windows (begin each with `- `)"],
    flatten([
      for index, window in local.written_windows : concat(
        can(keys(local.file.maintenance[index])) && alltrue([
          for name, value in window : (
            contains(local.window_texts, name) ? value == null || substr(jsonencode(value), 0, 1) == "\""
            : contains(["monitors", "tags"], name) && can(regex("^\\[(\"([^\"\\\\]|\\\\.)*\",?)*]$", jsonencode(value)))
          )
        ]) ? [] : ["maintenance.${index}: is not a maintenance window (write `from` and `until`, or `every` and `for`, as text; `monitors` and `tags` are lists)"],
        [
          for rule in [
            {
              at    = ""
              wrong = !contains(["from,until", "every,for"], join(",", [for name in ["from", "until", "every", "for"] : name if try(window[name], null) != null]))
              what  = "is neither a single nor a recurring window"
              mend  = "write `from` and `until`, or `every` (such as `sun 02:00`) and `for` (such as `2h`)"
            },
            {
              at    = ".from"
              wrong = can(window.until) && can(regex(".", window.from)) && !can(timecmp(window.from, window.from))
              what  = "is not a time of RFC 3339"
              mend  = "write it as 2026-11-22T02:00:00Z"
            },
            {
              at    = ".until"
              wrong = can(window.from) && can(regex(".", window.until)) && !can(timecmp(window.until, window.until))
              what  = "is not a time of RFC 3339"
              mend  = "write it as 2026-11-22T02:00:00Z"
            },
            {
              at    = ".until"
              wrong = try(timecmp(window.from, window.until) >= 0, false)
              what  = "does not lie after `from`"
              mend  = "swap them or correct one"
            },
            {
              at    = ".every"
              wrong = can(window.for) && try(!can(regex(local.recurring, window.every)), false) && can(window.every)
              what  = "is not a weekly or daily time"
              mend  = "write `daily 02:00`, `sun 02:00` or `mon,wed 22:30`"
            },
            {
              at    = ".for"
              wrong = can(window.every) && can(window.for) && !try(local.window_ms[index] > 0 && local.window_ms[index] <= local.week_ms, false)
              what  = "is no length above zero and of at most 7 days"
              mend  = "write a length such as 2h"
            },
            {
              at    = ".zone"
              wrong = can(window.every) && can(window.for) && can(regex(".", window.zone)) && !can(regex("^[A-Za-z0-9_+/-]+$", window.zone))
              what  = "is not a time zone"
              mend  = "write a name of the IANA time zone database, such as Europe/Berlin"
            },
          ] : "maintenance.${index}${rule.at}: ${rule.what} (${rule.mend})" if rule.wrong
        ],
        [
          for id in local.windows[index].monitors : "maintenance.${index}.monitors: `${id}` is no monitor of this file (name one that is)"
          if !can(local.written[id])
        ],
        [
          for tag in local.windows[index].tags : "maintenance.${index}.tags: no monitor has the tag `${tag}` (name a tag in use)"
          if !contains(local.tags_in_use, tag)
        ],
      )
    ]),
  )
  window_ms = [for window in local.written_windows : try(regex(local.duration, window.for)[0] * local.unit[regex(local.duration, window.for)[1]], 0)]
}
