// One import is enough: `import Stepwell` brings along whatever the public interface is made of. What else these modules have
// is `package`, and stays inside.
@_exported public import StepwellEngine
@_exported public import StepwellHistory
@_exported public import StepwellLog
@_exported public import StepwellModel
@_exported public import StepwellTemplates
@_exported public import StepwellWorker
