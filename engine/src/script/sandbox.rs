//! The powers of a script: set in one function, starting from none.

use std::any::TypeId;
use std::sync::{Arc, LazyLock};

use rhai::{
    Dynamic, Engine, EvalAltResult, FuncRegistration, Module, NativeCallContext, OptimizationLevel, Position,
    RhaiFunc,
};

use super::budget;
use super::inputs;
use super::library::{self, index, set_index};
use super::limits::Limits;
use super::table::TableValue;
use super::values::Record;

/// An engine that knows the library and nothing else.
pub(super) fn sandbox(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    // Syntax trees stay as written: nothing runs before its time, and places stay true.
    engine.set_optimization_level(OptimizationLevel::None);
    // Operators are ours, also those between two integers.
    engine.set_fast_operators(false);
    engine.set_fail_on_invalid_map_property(false);
    engine.set_max_call_levels(limits.call_depth);
    engine.set_max_expr_depths(limits.expression_depth, limits.expression_depth);
    engine.set_max_string_size(limits.text_length);
    engine.set_max_array_size(limits.list_length);
    engine.set_max_map_size(limits.record_size);
    engine.set_max_variables(limits.variables);
    engine.set_max_functions(limits.functions);
    engine.set_max_modules(0);
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    // Operations are counted by the budget: Rhai's own count starts again in callbacks.
    engine.set_max_operations(0);
    engine.on_progress(|_| budget::step().err().map(Dynamic::from));
    engine.register_type_with_name::<Record>("record");
    engine.register_type_with_name::<TableValue>("table");
    inputs::connect(&mut engine);
    engine.register_iterator::<rhai::Array>();
    engine.register_iterator::<std::ops::Range<i64>>();
    engine.register_iterator::<std::ops::RangeInclusive<i64>>();
    engine.register_global_module(Arc::clone(&library::MODULE));
    engine.register_global_module(Arc::clone(&INDEXERS));
    engine
}

/// Reading and setting by `[…]` and by name. Rhai also sets on what may not change, after a method
/// was called on a field of it; so both count as functions that change nothing.
static INDEXERS: LazyLock<Arc<Module>> = LazyLock::new(|| {
    let mut module = Module::new();
    let get = |_: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| match args {
        [target, key] => index(target, key),
        _ => impossible(),
    };
    let set = |_: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| match args {
        [target, key, value] => set_index(target, key, value).map(|()| Dynamic::UNIT),
        _ => impossible(),
    };
    let method = |func| RhaiFunc::Method { func, has_context: false, is_pure: true, is_volatile: true };
    let any = TypeId::of::<Dynamic>();
    FuncRegistration::new("index$get$").in_global_namespace().set_into_module_raw(
        &mut module,
        [any; 2],
        method(Arc::new(get)),
    );
    FuncRegistration::new("index$set$").in_global_namespace().set_into_module_raw(
        &mut module,
        [any; 3],
        method(Arc::new(set)),
    );
    module.into()
});

fn impossible<T>() -> Result<T, Box<EvalAltResult>> {
    Err(Box::new(EvalAltResult::ErrorRuntime(
        "an indexer was called without its arguments".into(),
        Position::NONE,
    )))
}
