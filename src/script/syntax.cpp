#include "script/syntax.h"

#include "script/lexer.h"

namespace lanthorn::script {

std::string type_text(const Type& type) {
  if (type.args.empty()) return type.name == "Tuple" ? "Tuple[()]" : type.name;
  std::string text = type.name + "[";
  for (size_t i = 0; i < type.args.size(); ++i) text += (i ? ", " : "") + type_text(type.args[i]);
  return text + "]";
}

Type type_of(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kName:
      return {std::string(expr.text), {}};
    case Expr::Kind::kNone:
      return {"NoneType", {}};
    case Expr::Kind::kAttribute: {
      std::string name(expr.path.empty() ? expr.text : expr.path);
      if (name == "torch.Tensor") name = "Tensor";
      return {std::move(name), {}};
    }
    case Expr::Kind::kString: {
      auto text = string_value(expr.text);
      return {text ? *std::move(text) : "Any", {}};
    }
    case Expr::Kind::kSubscript: {
      Type type = type_of(*expr.items[0]);
      const Expr& index = *expr.items[1];
      if (index.kind == Expr::Kind::kTuple) {
        for (const ExprPtr& item : index.items) type.args.push_back(type_of(*item));
      } else {
        type.args.push_back(type_of(index));
      }
      if (type.name == "Final" && !type.args.empty()) {
        Type inner = std::move(type.args[0]);
        return inner;
      }
      return type;
    }
    default:
      return {"Any", {}};
  }
}

}  // namespace lanthorn::script
