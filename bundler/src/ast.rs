//! Builds the few shapes of syntax that the passes make up themselves.
#![allow(clippy::vec_box, reason = "swc's syntax boxes expressions, so they are passed on boxed")]

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Mark, Span, SyntaxContext};
use swc_core::ecma::ast::*;

/// A name that no source has written: unlike every other binding, whatever its spelling.
pub(crate) fn fresh_ident(name: &str) -> Ident {
    Ident::new(name.into(), DUMMY_SP, SyntaxContext::empty().apply_mark(Mark::new()))
}

pub(crate) fn ident_of(id: &Id, span: Span) -> Ident {
    Ident::new(id.0.clone(), span, id.1)
}

pub(crate) fn ident_expr(id: &Id) -> Box<Expr> {
    Box::new(Expr::Ident(ident_of(id, DUMMY_SP)))
}

pub(crate) fn string(text: &str) -> Box<Expr> {
    Box::new(Expr::Lit(Lit::Str(Str { span: DUMMY_SP, value: text.into(), raw: None })))
}

pub(crate) fn number(value: usize) -> Box<Expr> {
    // Module ids stay far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let value = value as f64;
    Box::new(Expr::Lit(Lit::Num(Number { span: DUMMY_SP, value, raw: None })))
}

pub(crate) fn undefined() -> Box<Expr> {
    Box::new(Expr::Unary(UnaryExpr { span: DUMMY_SP, op: op!("void"), arg: number(0) }))
}

pub(crate) fn array(elements: Vec<Box<Expr>>) -> Box<Expr> {
    let elems = elements.into_iter().map(|expr| Some(ExprOrSpread { spread: None, expr })).collect();
    Box::new(Expr::Array(ArrayLit { span: DUMMY_SP, elems }))
}

pub(crate) fn call(callee: Box<Expr>, args: Vec<Box<Expr>>, span: Span) -> Box<Expr> {
    let args = args.into_iter().map(|expr| ExprOrSpread { spread: None, expr }).collect();
    Box::new(Expr::Call(CallExpr {
        span,
        ctxt: SyntaxContext::empty(),
        callee: Callee::Expr(callee),
        args,
        type_args: None,
    }))
}

pub(crate) fn yield_delegate(arg: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Yield(YieldExpr { span: DUMMY_SP, arg: Some(arg), delegate: true }))
}

/// `yield [x]`: the engine waits for `x`, then resumes with its value.
pub(crate) fn yield_await(arg: Box<Expr>, span: Span) -> Box<Expr> {
    Box::new(Expr::Yield(YieldExpr { span, arg: Some(array(vec![arg])), delegate: false }))
}

/// A bare `yield`: a place where the engine may suspend the program.
pub(crate) fn step() -> Stmt {
    expr_stmt(Box::new(Expr::Yield(YieldExpr { span: DUMMY_SP, arg: None, delegate: false })))
}

pub(crate) fn object(props: Vec<Prop>) -> Box<Expr> {
    let props = props.into_iter().map(|prop| PropOrSpread::Prop(Box::new(prop))).collect();
    Box::new(Expr::Object(ObjectLit { span: DUMMY_SP, props }))
}

pub(crate) fn is_identifier_name(name: &str) -> bool {
    Ident::verify_symbol(name).is_ok() || name == "default"
}

pub(crate) fn prop_name(name: &str) -> PropName {
    if name == "__proto__" {
        // Written plainly it would set the prototype.
        PropName::Computed(ComputedPropName { span: DUMMY_SP, expr: string(name) })
    } else if is_identifier_name(name) {
        PropName::Ident(IdentName::new(name.into(), DUMMY_SP))
    } else {
        PropName::Str(Str { span: DUMMY_SP, value: name.into(), raw: None })
    }
}

/// `target`, the name and the descriptor of `Object.defineProperty(target, 'name', descriptor)`.
pub(crate) fn defined_property(call: &CallExpr, unresolved: SyntaxContext) -> Option<(&Expr, Atom, &Expr)> {
    let callee = call.callee.as_expr()?.as_member()?;
    let is_object = callee.obj.as_ident().is_some_and(|object| object.ctxt == unresolved && object.sym == "Object");
    let [target, name, descriptor] = &call.args[..] else { return None };
    let Expr::Lit(Lit::Str(name)) = &*name.expr else { return None };
    let is_known = is_object && callee.prop.is_ident_with("defineProperty") && target.spread.is_none();
    is_known.then(|| (&*target.expr, text_of(name), &*descriptor.expr))
}

/// `object.name`, or `object["name"]` where the name is no identifier.
pub(crate) fn member(obj: Box<Expr>, name: &str, span: Span) -> Box<Expr> {
    let prop = if is_identifier_name(name) {
        MemberProp::Ident(IdentName::new(name.into(), span))
    } else {
        MemberProp::Computed(ComputedPropName { span: DUMMY_SP, expr: string(name) })
    };
    Box::new(Expr::Member(MemberExpr { span, obj, prop }))
}

/// `import.meta.name`
pub(crate) fn meta_property(name: &str) -> Box<Expr> {
    let meta = Expr::MetaProp(MetaPropExpr { span: DUMMY_SP, kind: MetaPropKind::ImportMeta });
    member(Box::new(meta), name, DUMMY_SP)
}

pub(crate) fn expr_stmt(expr: Box<Expr>) -> Stmt {
    Stmt::Expr(ExprStmt { span: DUMMY_SP, expr })
}

pub(crate) fn declare(kind: VarDeclKind, declarators: Vec<(Id, Option<Box<Expr>>)>) -> Stmt {
    let decls = declarators
        .into_iter()
        .map(|(id, init)| VarDeclarator {
            span: DUMMY_SP,
            name: Pat::Ident(ident_of(&id, DUMMY_SP).into()),
            init,
            definite: false,
        })
        .collect();
    Stmt::Decl(Decl::Var(Box::new(VarDecl {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        kind,
        declare: false,
        decls,
    })))
}

pub(crate) fn directive(text: &str) -> Stmt {
    expr_stmt(string(text))
}

/// `() => value`
pub(crate) fn arrow(value: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Arrow(ArrowExpr {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        params: Vec::new(),
        body: Box::new(ArrowFunctionBody::Expr(value)),
        is_async: false,
        is_generator: false,
        type_params: None,
        return_type: None,
    }))
}

/// Whether a function can be suspended between its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    Plain,
    Generator,
    Async,
}

pub(crate) fn function(kind: FunctionKind, params: Vec<Ident>, stmts: Vec<Stmt>) -> Function {
    Function {
        params: params.into_iter().map(|param| Param::from(Pat::Ident(param.into()))).collect(),
        body: Some(FunctionBody { span: DUMMY_SP, stmts }),
        is_generator: kind == FunctionKind::Generator,
        is_async: kind == FunctionKind::Async,
        ..Function::default()
    }
}

pub(crate) fn function_expr(function: Function) -> Box<Expr> {
    Box::new(Expr::Fn(FnExpr { ident: None, function: Box::new(function) }))
}

pub(crate) fn text_of(value: &Str) -> Atom {
    value.value.clone().try_into_atom().unwrap_or_else(|lone_surrogates| lone_surrogates.to_string_lossy().into())
}

/// A function as a program that no pass can take away or take apart.
pub(crate) fn guarded(function: Function, unresolved: Mark) -> Program {
    let unknown = ident_expr(&("$unit".into(), SyntaxContext::empty().apply_mark(unresolved)));
    let body = vec![expr_stmt(call(unknown, vec![function_expr(function)], DUMMY_SP))];
    Program::Script(Script { span: DUMMY_SP, body, shebang: None })
}

/// The statements of the function in what [`guarded`] made.
pub(crate) fn guarded_stmts(program: &Program) -> &[Stmt] {
    let body = program.as_script().and_then(|script| {
        let call = script.body.first()?.as_expr()?.expr.as_call()?;
        call.args.first()?.expr.as_fn_expr()?.function.body.as_ref()
    });
    body.map_or(&[], |body| &body.stmts)
}

/// The function in what [`guarded`] made.
pub(crate) fn unguarded(program: Program) -> Function {
    let found = program.script().into_iter().flat_map(|script| script.body).find_map(|stmt| {
        let call = stmt.expr()?.expr.call()?;
        let function = call.args.into_iter().next()?.expr.fn_expr()?;
        Some(*function.function)
    });
    found.unwrap_or_else(|| unreachable!("a pass has taken a module apart"))
}

/// Takes away a call of the global `name` at the end of `stmts`, and returns its argument. The call may have become
/// the end of a sequence.
pub(crate) fn take_last_call(stmts: &mut Vec<Stmt>, name: &str) -> Option<Box<Expr>> {
    let argument = |expr: &Expr| {
        let call = expr.as_call()?;
        let is_called = call.callee.as_expr()?.is_ident_ref_to(name);
        is_called.then(|| call.args.first().map(|arg| arg.expr.clone()))?
    };
    let last = stmts.last_mut()?.as_mut_expr()?;
    if let Expr::Seq(seq) = &mut *last.expr {
        let found = seq.exprs.last().and_then(|expr| argument(expr))?;
        seq.exprs.pop();
        return Some(found);
    }
    let found = argument(&last.expr)?;
    stmts.pop();
    Some(found)
}
