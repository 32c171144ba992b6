// One import is enough: `import StepwellWorker` brings along the ids, times and JSON that its interface is made of.
@_exported public import StepwellModel
