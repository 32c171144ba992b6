// One import is enough: templates, reports and handlers come along.
@_exported public import Stepwell
