#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lanthorn::script {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;

/// One expression of the TorchScript language. Texts point into the source, which outlives it.
struct Expr {
  enum class Kind : uint8_t {
    kName,       // text; slot
    kInt,        // integer
    kFloat,      // real
    kImaginary,  // real: `2.j`
    kString,     // text as written with its quotes; string_value() decodes
    kTrue,
    kFalse,
    kNone,
    kEllipsis,
    kList,
    kTuple,      // items
    kDict,       // items: key, value, key, value
    kCall,       // items: callee, arguments; keyword arguments are kKeyword
    kKeyword,    // text: name; items: value
    kAttribute,  // items: object; text: name; path: the whole dotted name if that is what it is
    kSubscript,  // items: object, index
    kSlice,      // items: start, stop, step; null where left out
    kUnary,      // text: "-", "+", "~", "not"
    kBinary,     // text: operator, comparisons too ("not in", "is not"); items: two
    kAnd,
    kOr,           // items: two
    kConditional,  // items: condition, then, else
  };
  Kind kind = Kind::kNone;
  uint32_t offset = 0;  // in bytes, in the source
  uint32_t slot = 0;    // kName: position in the function's table of names
  union {
    int64_t integer = 0;
    double real;
  };
  std::string_view text;
  std::string_view path;
  std::vector<ExprPtr> items;
};

/// A type as the source writes it: "Dict" [str, Tensor].
struct Type {
  std::string name;
  std::vector<Type> args;

  bool is(std::string_view other) const { return name == other; }
  bool optional() const { return name == "Optional"; }
};
/// "Dict[str, Tensor]"
std::string type_text(const Type& type);
/// The type that an expression spells; "Any" for what spells none.
Type type_of(const Expr& expr);

struct Parameter {
  std::string_view name;
  uint32_t slot = 0;
  Type type;  // "Tensor" where none is written
  bool keyword_only = false;
  ExprPtr fallback;  // the default; null if there is none
};

struct FunctionSyntax {
  std::string_view name;
  uint32_t offset = 0;
  std::vector<Parameter> parameters;
  Type result;
  std::vector<Stmt> body;
  std::vector<std::string_view> names;  // of the slots; nested functions share their outer one's
};

struct Stmt {
  enum class Kind : uint8_t {
    kExpression,  // value
    kAssign,      // targets = value (each target: name, attribute, subscript, tuple, list); type if
                  // annotated
    kAugmented,   // targets[0] text= value; text: "+"
    kIf,
    kWhile,   // value, body, orelse
    kFor,     // targets[0], value, body
    kReturn,  // value or null
    kPass,
    kBreak,
    kContinue,
    kWith,      // value; targets[0] or none; body
    kFunction,  // function; targets[0]: its name
    kRaise,     // value or null
    kAssert,    // value, message (or null)
    kDelete,    // targets
  };
  Kind kind = Kind::kPass;
  uint32_t offset = 0;
  std::string_view text;
  std::vector<ExprPtr> targets;
  ExprPtr value, message;
  std::unique_ptr<Type> type;
  std::vector<Stmt> body, orelse;
  std::unique_ptr<FunctionSyntax> function;
};

/// `name : type`, or `name : Final[type] = value`, or an enum's `name = value`.
struct FieldSyntax {
  std::string name;
  Type type;
  ExprPtr value;
};

struct ClassSyntax {
  std::string_view name;
  std::string_view base;  // "Module", "NamedTuple", "Enum", "Interface", "ModuleInterface", ""
  uint32_t offset = 0;
  std::vector<FieldSyntax> fields;
  std::vector<std::string> parameters, buffers, forward_hooks, forward_pre_hooks;
  std::vector<FunctionSyntax> methods;
};

struct FileSyntax {
  std::vector<ClassSyntax> classes;
  std::vector<FunctionSyntax> functions;
  int64_t op_version = 0;  // `op_version_set = 1` of old files
};

}  // namespace lanthorn::script
