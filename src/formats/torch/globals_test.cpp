#include "formats/torch/globals.h"

#include <gtest/gtest.h>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

GlobalVerdict verdict_of(std::string module, std::string name) {
  return judge_global({std::move(module), std::move(name)}).verdict;
}

TEST(globals, what_makes_plain_data_is_safe) {
  for (const auto& [module, name] : {std::pair{"collections", "OrderedDict"},
                                     {"torch._utils", "_rebuild_tensor_v2"},
                                     {"torch", "FloatStorage"},
                                     {"torch", "float8_e4m3fn"},
                                     {"numpy", "float64"},
                                     {"numpy.dtypes", "Float32DType"},
                                     {"torch.nn.modules.linear", "Linear"},
                                     {"torch.optim.adamw", "AdamW"},
                                     {"torch._C._nn", "gelu"}}) {
    EXPECT_EQ(verdict_of(module, name), GlobalVerdict::kSafe) << module << "." << name;
  }
}

TEST(globals, families_of_what_does_harm_are_dangerous_with_all_that_is_in_them) {
  for (const auto& [module, name] : {std::pair{"posix", "anything"},
                                     {"asyncio.unix_events", "x"},
                                     {"torch.hub", "load"},
                                     {"__builtin__", "eval"},
                                     {"pickle", "Unpickler"},
                                     {"code", "InteractiveInterpreter.runcode"},
                                     {"os.path", "join"},
                                     {"posix ", "system"}}) {
    EXPECT_EQ(verdict_of(module, name), GlobalVerdict::kDangerous) << module << "." << name;
  }
}

TEST(globals, a_package_that_shares_the_name_of_a_module_is_not_it) {
  EXPECT_EQ(verdict_of("code.models", "Net"), GlobalVerdict::kUnknown);
  EXPECT_EQ(verdict_of("osmium", "Reader"), GlobalVerdict::kUnknown);
}

TEST(globals, dots_reach_through_modules_but_name_nested_classes) {
  EXPECT_EQ(verdict_of("torch.serialization", "os.system"), GlobalVerdict::kDangerous);
  EXPECT_EQ(verdict_of("torch", "Tensor.tofile"), GlobalVerdict::kUnknown);
  EXPECT_EQ(verdict_of("my.module", "Outer.Inner"), GlobalVerdict::kUnknown);
  EXPECT_EQ(verdict_of("my.module", "Outer.__init__.__globals__"), GlobalVerdict::kDangerous);
  EXPECT_EQ(verdict_of("torch.nn.modules.linear", "Linear.forward"), GlobalVerdict::kUnknown);
}

/// The verdicts of all globals of a pickle, in order: s, d, u.
std::string verdicts_of(std::string_view pickle) {
  auto tree = read_pickle(as_bytes(pickle));
  EXPECT_TRUE(tree.ok()) << tree.error().text();
  if (!tree) return "";
  mark_harmless_uses(*tree);
  std::string verdicts;
  for (const PickleGlobal& global : tree->globals) {
    verdicts += "sdu"[static_cast<size_t>(judge_global(global).verdict)];
  }
  return verdicts;
}

TEST(globals, getattr_of_a_function_of_tensors_is_safe) {
  EXPECT_EQ(verdicts_of("cbuiltins\ngetattr\n(ctorch._C\n_VariableFunctionsClass\nVrelu\ntR."),
            "ss");
  EXPECT_EQ(verdicts_of("cbuiltins\ngetattr\n(ctorch._utils\ntorch\nVchannels_last\ntR."), "ss");
  EXPECT_EQ(
      verdicts_of("cbuiltins\ngetattr\n(ctorch._C\n_VariableFunctionsClass\nVfrom_file\ntR.")[0],
      'd');
  EXPECT_EQ(verdicts_of("cbuiltins\ngetattr\n(ctorch._utils\ntorch\nVhub\ntR.")[0], 'd');
  // What is passed on may be called with anything.
  EXPECT_EQ(verdicts_of("(cbuiltins\ngetattr\nl.")[0], 'd');
}

TEST(globals, partial_is_what_its_function_is) {
  EXPECT_EQ(verdicts_of("cfunctools\npartial\n(ctorch.nn.modules.linear\nLinear\ntR."), "ss");
  EXPECT_EQ(verdicts_of("cfunctools\npartial\n(cmy\nmake\ntR."), "su");
  EXPECT_EQ(verdicts_of("cfunctools\npartial\n(cposix\nsystem\ntR."), "dd");
  EXPECT_EQ(verdicts_of("cfunctools\npartial\n(Vtext\ntR."), "d");
}

TEST(globals, a_safe_class_that_is_changed_is_dangerous) {
  EXPECT_EQ(verdicts_of("ccollections\nOrderedDict\n(dVx\nNsb."), "d");
}

}  // namespace
}  // namespace lanthorn
