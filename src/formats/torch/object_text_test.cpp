#include "formats/torch/object_text.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

using Kind = Object::Kind;

ObjectId node(ObjectTree& tree, Kind kind, std::string text) {
  Object object;
  object.kind = kind;
  object.text = std::move(text);
  return tree.add(std::move(object));
}

ObjectId instance(ObjectTree& tree, std::string name, std::vector<ObjectId> arguments) {
  const ObjectId tuple = tree.add_list(std::move(arguments), Kind::kTuple);
  const ObjectId made = node(tree, Kind::kInstance, std::move(name));
  tree.nodes[made].arguments = tuple;
  return made;
}

// The texts are what CPython 3.13 prints.
TEST(object_text, floats_are_printed_as_python_prints_them) {
  EXPECT_EQ(python_float_text(0.05), "0.05");
  EXPECT_EQ(python_float_text(5), "5.0");
  EXPECT_EQ(python_float_text(1e-5), "1e-05");
  EXPECT_EQ(python_float_text(0.0001), "0.0001");
  EXPECT_EQ(python_float_text(1e15), "1000000000000000.0");
  EXPECT_EQ(python_float_text(1e16), "1e+16");
  EXPECT_EQ(python_float_text(-0.0), "-0.0");
  EXPECT_EQ(python_float_text(1.0 / 0.0), "inf");
}

TEST(object_text, strings_are_quoted_as_python_quotes_them) {
  ObjectTree tree;
  EXPECT_EQ(object_text(tree, tree.add(PlainValue(std::string("it's")))), "\"it's\"");
  EXPECT_EQ(object_text(tree, tree.add(PlainValue(std::string("a'b\"c")))), "'a\\'b\"c'");
  EXPECT_EQ(object_text(tree, tree.add(PlainValue(std::string("line\n\\\x01")))),
            "'line\\n\\\\\\x01'");
}

TEST(object_text, dates_paths_and_ranges_are_what_they_were) {
  ObjectTree tree;
  const std::string bytes("\x07\xe8\x03\x05\x0a\x14\x1e\x00\x00\x7b", 10);
  EXPECT_EQ(
      object_text(tree, instance(tree, "datetime.datetime", {node(tree, Kind::kBytes, bytes)})),
      "datetime.datetime(2024, 3, 5, 10, 20, 30, 123)");
  EXPECT_EQ(object_text(tree, instance(tree, "datetime.date",
                                       {node(tree, Kind::kBytes, bytes.substr(0, 4))})),
            "datetime.date(2024, 3, 5)");
  EXPECT_EQ(object_text(
                tree, instance(tree, "datetime.timedelta",
                               {tree.add(PlainValue(int64_t{0})), tree.add(PlainValue(int64_t{90})),
                                tree.add(PlainValue(int64_t{0}))})),
            "datetime.timedelta(seconds=90)");
  EXPECT_EQ(object_text(tree, instance(tree, "pathlib.PosixPath",
                                       {tree.add(PlainValue(std::string("/"))),
                                        tree.add(PlainValue(std::string("runs")))})),
            "PosixPath('/runs')");
  EXPECT_EQ(object_text(
                tree, instance(tree, "__builtin__.xrange",
                               {tree.add(PlainValue(int64_t{0})), tree.add(PlainValue(int64_t{3})),
                                tree.add(PlainValue(int64_t{1}))})),
            "range(0, 3)");
}

TEST(object_text, a_datetime_of_the_wrong_size_is_an_instance_like_any_other) {
  ObjectTree tree;
  EXPECT_EQ(
      object_text(tree, instance(tree, "datetime.datetime", {node(tree, Kind::kBytes, "abc")})),
      "datetime(b'abc')");
  EXPECT_EQ(object_text(tree, instance(tree, "datetime.datetime", {})), "datetime()");
}

TEST(object_text, long_texts_and_cycles_end) {
  ObjectTree tree;
  const ObjectId list = tree.add_list({});
  tree.nodes[list].items = {list, list};
  EXPECT_LT(object_text(tree, list, 50).size(), 60u);
  const std::string letters = "a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
  const std::string cut = object_text(tree, tree.add(PlainValue(letters)), 5);
  EXPECT_EQ(cut, "'a\xc3\xa4...");
}

TEST(object_text, objects_of_unknown_classes_are_listed_with_their_attributes) {
  ObjectTree tree;
  const ObjectId config = instance(tree, "zoo.Config", {});
  const PlainEntry entries[] = {{"width", int64_t{9}}, {"lr", 0.5}};
  const ObjectTree attributes = ObjectTree::dict_of(entries);
  tree.nodes[config].state = tree.graft(attributes, attributes.root);
  tree.root = config;
  EXPECT_EQ(object_text(tree, config), "Config(width=9, lr=0.5)");
  const auto listed = list_objects(tree);
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_EQ((*listed)[2].name, "lr");
  EXPECT_EQ(object_class(tree, config), "zoo.Config");
  EXPECT_EQ(object_type(tree, config), "Config");
}

}  // namespace
}  // namespace lanthorn
