"""Segmentation: texts cut into words or characters, by jieba or by a trained model, around a user's own words."""
